"""Training of backbones together with the head, from the raw examples."""
