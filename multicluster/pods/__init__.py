"""Wait for many pods of many clusters at the price of one watch for each cluster and namespace."""
