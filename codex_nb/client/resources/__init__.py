"""The endpoints, one family a file, each written once as a flow."""
