import pytest

A = [1]
A.append(2)

B = [1]
B += [2]

C = [1]
def change(): C.append(3)

D = [1]
D = [1, 2]

for n in A:
    E = [1]

@pytest.mark.parametrize("n", A)  # doubt: parametrize parametrize
def test_a(n): pass

@pytest.mark.parametrize("n", B)  # doubt: parametrize parametrize
def test_b(n): pass

@pytest.mark.parametrize("n", C)  # doubt: parametrize parametrize
def test_c(n): pass

@pytest.mark.parametrize("n", D)
def test_d(n): pass

@pytest.mark.parametrize("n", E)  # doubt: parametrize parametrize
def test_e(n): pass

@pytest.mark.anyio  # doubt: mark
async def test_anyio(): pass
