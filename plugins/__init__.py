"""Plugins: each speaks one provider's protocol and knows the gateway by its ports alone."""
