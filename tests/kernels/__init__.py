"""The notebook's tests on other kernels: versions that differ in when messages of widgets arrive."""
