"""Makes what phones and browsers run of an exported model, and judges each."""
