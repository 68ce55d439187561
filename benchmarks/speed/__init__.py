"""How fast Graft is beside what a user would run instead: `make bench-speed`."""
