//! The site map, and what stands around every page.
