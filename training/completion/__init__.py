"""What the trainings of flow and colour completion have in common."""
