"""The SmartWatch backend: one distribution, several processes."""

# The one version of the package, the API and the AsyncAPI document; pyproject.toml reads it from here.
__version__ = "1.0.0"
