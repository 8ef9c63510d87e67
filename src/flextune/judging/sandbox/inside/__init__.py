"""What runs inside the sandbox, by a bare interpreter: these files import the standard library and each other."""
