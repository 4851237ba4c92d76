//! What the allocator keeps when much has been freed.

/// Gives the pages on which nothing lies any more back to the system, wherever they are in the heap: malloc_trim(3).
///
/// glibc gives back the end of its heap by itself, and no page that is in front of something that is still held; after
/// a flood of backlogs that is most of them. Where another allocator is used, that one decides.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)] // the one place: no safe wrapper of this function is kept up
pub fn give_back() {
    // SAFETY: it takes no pointer, and may be called by any thread at any time.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
