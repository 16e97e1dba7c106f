//! Many hosts at once: what runs on all of them.
