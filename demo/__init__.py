"""The page: controls → one request → engine → steps → views. Nothing here is imported by core/."""
