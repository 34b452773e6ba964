"""What the trainings of helper networks have in common."""
