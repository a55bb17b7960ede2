"""Stand-ins for hosted providers: schemas written from their documentation, and a server that holds them."""
