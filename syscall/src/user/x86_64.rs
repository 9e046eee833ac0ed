//! The call instruction of x86_64.

/// Makes the call `$number` with up to eight arguments of type `usize` and yields the result register.
macro_rules! raw_call {
    ($number:expr
        $(, $a0:expr $(, $a1:expr $(, $a2:expr $(, $a3:expr
        $(, $a4:expr $(, $a5:expr $(, $a6:expr $(, $a7:expr)?)?)?)?)?)?)?)?) => {{
        let number: usize = $number;
        let result: usize;
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            $(in("rdi") $a0, $(in("rsi") $a1, $(in("rdx") $a2, $(in("r10") $a3,
            $(in("r8") $a4, $(in("r9") $a5, $(in("r12") $a6, $(in("r13") $a7,)?)?)?)?)?)?)?)?
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        result
    }};
}
