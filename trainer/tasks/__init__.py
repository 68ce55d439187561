"""What is learned: labels, loss, score and served outputs of each task."""
