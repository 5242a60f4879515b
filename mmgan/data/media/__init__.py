"""Pictures and sounds as files hold them."""
