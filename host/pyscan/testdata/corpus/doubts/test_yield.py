def test_fine(): pass
def test_yield():  # doubt: yield
    yield 1
async def test_generator():
    yield 1
def test_inner():
    def gen(): yield 1
