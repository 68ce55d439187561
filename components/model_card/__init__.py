"""Says of a model, for people and machines, what is known of it when it is pushed."""
