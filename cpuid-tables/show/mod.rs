//! Tables told to people: by name, leaf by leaf, and compared.
