import functools
def f(): pass
test_a = functools.partial(f)  # doubt: computed
test_b, test_c = f, f  # doubt: computed computed
test_d = lambda: None  # doubt: computed
(test_e := f)  # doubt: computed
