"""What a recipe is, and every recipe that ships."""
