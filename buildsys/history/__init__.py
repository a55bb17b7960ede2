"""The history of one asset: every version of it that git has, told as text, as JSON and as a page."""
