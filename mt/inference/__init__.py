"""What a trained model is asked: to translate, and to align."""
