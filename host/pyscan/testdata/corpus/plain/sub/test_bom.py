def test_bom(): pass

def test_after_form_feed():
	pass