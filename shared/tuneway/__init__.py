"""tuneway: a model platform of functions and events, inside your own cloud account."""
