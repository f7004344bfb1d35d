"""What `mt serve` serves: the service and its page. It needs the extra `mt[web]`."""
