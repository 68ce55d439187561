"""What happens after the push: a local server, a client, batch prediction."""
