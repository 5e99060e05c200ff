"""Outbound: what connectors share to reach the systems behind them."""
