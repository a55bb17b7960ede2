"""Programs that make what ships from what others drew; none of them ships."""
