"""The organization tree, its people, and what is known of both beside their activities."""
