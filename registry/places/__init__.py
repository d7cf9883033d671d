"""Places: from the subdistrict to the dwelling, what they are called, and how an address finds them."""
