"""What every service of ours does alike: its tokens, its sockets, its log."""
