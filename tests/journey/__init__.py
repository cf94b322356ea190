"""The whole way of a customer, with every part as it really runs."""
