//! What is wrong with a table, before KVM takes it: KVM accepts almost anything, and the guest dies later.
