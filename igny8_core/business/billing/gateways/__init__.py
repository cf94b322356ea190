"""The payment gateways that have their keys. Only the modules in this folder import the gateways' SDKs."""
