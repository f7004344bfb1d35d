"""A study trains every point of a plan that is not trained yet, scores it, and keeps one table of all of them."""
