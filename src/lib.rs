//! pam-operator
