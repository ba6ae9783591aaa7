import math
import pytest

CASES = [1, 2]
PAIRS = ((1, "a"), (2, "b"))

def func(): pass
class Klass: pass

@pytest.mark.parametrize("n", [1, -2, +3, 0x10, 1_000, 0o17, 0b11, -0, 10**1 if False else 4])  # doubt: parametrize parametrize
def test_arithmetic(n): pass

@pytest.mark.parametrize("n", [1, -2, +3, 0x10, 1_000, 0o17, 0b101, -0])
def test_ints(n): pass

@pytest.mark.parametrize("f", [1.0, -0.5, 1e3, 1e16, 1e-5, 1.5e300, .1, 5., 1e22, 123456789.123, 0.0001, -0.0, 1e999])
def test_floats(f): pass

@pytest.mark.parametrize("v", [None, True, False, ...])
def test_constants(v): pass

@pytest.mark.parametrize("s", ["a", 'b c', "a/b::c", "[x]", "", "tab\t", "new\nline", "back\\slash", r"\d", "é", "日本", "\U0001F600", "\x00", "\x7f", "'", '"', "a" "b", """x"""])
def test_strings(s): pass

@pytest.mark.parametrize("b", [b"abc", b"\x00\xff", b"\\", rb"\d", b"\n"])
def test_bytes(b): pass

@pytest.mark.parametrize("v", [[1], (1, 2), {}, {"a": 1}, set(), {1}, [], ()])  # doubt: parametrize
def test_collections_and_a_call(v): pass

@pytest.mark.parametrize("v", [[1], (1, 2), {}, {"a": 1}, {1}, [], ()])
def test_collections(v): pass

@pytest.mark.parametrize("a, b", [(1, 2), (3, "x"), [4, None]])
def test_pairs(a, b): pass

@pytest.mark.parametrize(["a", "b"], [(1, 2)])
def test_name_list(a, b): pass

@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_constant_pairs(a, b): pass

@pytest.mark.parametrize("a,", [(1,), (2,)])  # doubt: parametrize
def test_trailing_comma(a): pass

@pytest.mark.parametrize("a", [(1, 2), (3, 4)])
def test_force_tuple(a): pass

@pytest.mark.parametrize("x", ["p", "q"])
@pytest.mark.parametrize("y", [1, 2])
def test_product(x, y): pass

@pytest.mark.parametrize("n", [1, 2], ids=["one", "two"])
def test_given(n): pass

@pytest.mark.parametrize("n", [1, 2, 3], ids=["one", None, 3])
def test_given_some(n): pass

@pytest.mark.parametrize("n", [1, "a", None], ids=str)
def test_given_str(n): pass

@pytest.mark.parametrize("n", [1, 2], ids=lambda n: f"n{n}")  # doubt: parametrize
def test_given_lambda(n): pass

@pytest.mark.parametrize("n", [1, 2], ids=repr)  # doubt: parametrize
def test_given_repr(n): pass

@pytest.mark.parametrize("s", ["a", "a", "b", "a"])
def test_duplicates(s): pass

@pytest.mark.parametrize("s", ["a1", "a1"])  # doubt: parametrize
def test_duplicate_digits(s): pass

@pytest.mark.parametrize("s", ["a", "a", "a0"])  # doubt: parametrize
def test_duplicate_clash(s): pass

@pytest.mark.parametrize("n", [])  # doubt: parametrize parametrize
def test_empty(n): pass

@pytest.mark.parametrize("n", range(3))
def test_range(n): pass

@pytest.mark.parametrize("n", range(10, 4, -2))
def test_range_down(n): pass

@pytest.mark.parametrize("f", [func, Klass, int, len, ValueError])
def test_names(f): pass

@pytest.mark.parametrize("f", [math.pi, math.sqrt])  # doubt: parametrize
def test_attributes(f): pass

@pytest.mark.parametrize("n", CASES)
def test_constant(n): pass

@pytest.mark.parametrize("n", [x for x, y in PAIRS])  # doubt: parametrize parametrize
def test_comprehension(n): pass

@pytest.mark.parametrize("n", [*CASES, 3])  # doubt: parametrize parametrize
def test_star(n): pass

@pytest.mark.parametrize("n", (n for n in CASES))  # doubt: parametrize parametrize
def test_generator(n): pass

@pytest.mark.parametrize("n", [func()])  # doubt: parametrize parametrize
def test_call(n): pass

@pytest.mark.parametrize("s", ["x" * 2])  # doubt: parametrize parametrize
def test_expression(s): pass

@pytest.mark.parametrize("s", ["0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789+"])  # doubt: parametrize
def test_long(s): pass

@pytest.mark.parametrize("n,m", [pytest.param(1, 2, id="first"), pytest.param(3, 4), (5, 6)])
def test_param(n, m): pass

@pytest.mark.parametrize(argnames="n", argvalues=[1], ids=["k"])
def test_keywords(n): pass

@pytest.mark.parametrize("n", [1])
class TestClass:
    @pytest.mark.parametrize("m", ["a", "b"])
    def test_both(self, n, m): pass

    def test_one(self, n): pass

    @staticmethod
    def test_static(n): pass

    @classmethod  # doubt: decorator
    def test_class(cls, n): pass

both = pytest.mark.parametrize("n", [7, 8])

@both
def test_alias(n): pass

@pytest.mark.parametrize("tmp_path", [1, 2], indirect=True)
def test_indirect(tmp_path): pass
