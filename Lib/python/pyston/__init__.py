"""What this engine offers beyond the Python language; programs that only need Python never import it."""
import sys

version_info = sys.implementation._pyston_version_info

__all__ = ["version_info"]
