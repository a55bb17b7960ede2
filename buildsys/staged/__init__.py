"""What is staged for the next commit, held against itself: manifest, lock and files of git's index."""
