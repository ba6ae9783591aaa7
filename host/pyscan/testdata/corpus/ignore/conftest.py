collect_ignore = ["a/test_left_out.py", "b"]
collect_ignore_glob = ["*_old.py"]
