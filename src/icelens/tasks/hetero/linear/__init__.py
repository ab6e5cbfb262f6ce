"""The linear model of heterogeneity: a mean, principal components, and where each particle lies."""
