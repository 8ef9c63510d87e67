"""Problems and training examples by name."""
