// http-healthcheck for Linux on AArch64: see probe.x64.S.
    .text
file:
    .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0
    .quad   0
    .short  2, 183
    .long   1
    .quad   0x400000 + (start - file)
    .quad   segments - file
    .quad   0
    .long   0
    .short  64, 56, 2, 64, 0, 0
segments:
    .long   1, 5                        // PT_LOAD, read and execute
    .quad   0, 0x400000, 0x400000
    .quad   end - file, end - file, 0x10000
    .long   0x6474e551, 6               // PT_GNU_STACK, not executable
    .quad   0, 0, 0, 0, 0, 16

start:
    mov     x19, sp
    ldr     x9, [x19]
    mov     x0, #2
    cmp     x9, #4
    b.lo    exit
    sub     sp, sp, #128                // [sp]: address, [sp+16]: timer, [sp+48]: vector, [sp+96]: answer

    ldr     x1, [x19, #16]              // PORT
    bl      number
    rev16   w10, w10
    uxth    w10, w10
    lsl     w10, w10, #16
    orr     w10, w10, #2                // AF_INET
    mov     w11, #0x007f
    movk    w11, #0x0100, lsl #16
    stp     w10, w11, [sp]
    str     xzr, [sp, #8]

    ldr     x1, [x19, #32]              // SECONDS
    bl      number
    stp     xzr, xzr, [sp, #16]
    stp     x10, xzr, [sp, #32]
    mov     x0, #0                      // setitimer(ITIMER_REAL, timer, 0)
    add     x1, sp, #16
    mov     x2, #0
    mov     x8, #103
    svc     #0

    mov     x0, #2                      // socket(AF_INET, SOCK_STREAM, 0)
    mov     x1, #1
    mov     x2, #0
    mov     x8, #198
    svc     #0
    tbnz    x0, #63, fail
    mov     x20, x0

    mov     x21, #20                    // SO_RCVTIMEO, then SO_SNDTIMEO
option:
    mov     x0, x20                     // setsockopt(socket, SOL_SOCKET, option, timer.value, 16)
    mov     x1, #1
    mov     x2, x21
    add     x3, sp, #32
    mov     x4, #16
    mov     x8, #208
    svc     #0
    add     x21, x21, #1
    cmp     x21, #22
    b.lo    option

    mov     x0, x20                     // connect(socket, address, 16)
    mov     x1, sp
    mov     x2, #16
    mov     x8, #203
    svc     #0
    tbnz    x0, #63, fail

    adr     x9, head
    mov     x10, #(head_end - head)
    stp     x9, x10, [sp, #48]
    ldr     x9, [x19, #24]              // PATH
    mov     x10, #0
length:
    ldrb    w11, [x9, x10]
    cbz     w11, counted
    add     x10, x10, #1
    b       length
counted:
    stp     x9, x10, [sp, #64]
    adr     x9, tail
    mov     x10, #(tail_end - tail)
    stp     x9, x10, [sp, #80]
    mov     x0, x20                     // writev(socket, vector, 3)
    add     x1, sp, #48
    mov     x2, #3
    mov     x8, #66
    svc     #0
    tbnz    x0, #63, fail

    mov     x21, #0
answer:
    mov     x0, x20                     // read(socket, answer + n, 12 - n)
    add     x1, sp, #96
    add     x1, x1, x21
    mov     x2, #12
    sub     x2, x2, x21
    mov     x8, #63
    svc     #0
    cmp     x0, #0
    b.le    fail
    add     x21, x21, x0
    cmp     x21, #12
    b.lo    answer

    ldr     w9, [sp, #96]
    mov     w10, #0x5448                // HTTP
    movk    w10, #0x5054, lsl #16
    cmp     w9, w10
    b.ne    fail
    ldrb    w9, [sp, #100]
    cmp     w9, #'/'
    b.ne    fail
    ldrb    w9, [sp, #104]
    cmp     w9, #' '
    b.ne    fail
    mov     x0, #0
    ldrb    w9, [sp, #105]
    sub     w9, w9, #'2'
    cmp     w9, #1
    b.ls    exit
fail:
    mov     x0, #1
exit:
    mov     x8, #94                     // exit_group
    svc     #0

number:                                 // x1: digits; x10: their number
    mov     x10, #0
    mov     x12, #10
digit:
    ldrb    w11, [x1], #1
    sub     w11, w11, #'0'
    cmp     w11, #9
    b.hi    read
    madd    x10, x10, x12, x11
    b       digit
read:
    ret

head:
    .ascii  "GET "
head_end:
tail:
    .ascii  " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: http-healthcheck\r\nConnection: close\r\n\r\n"
tail_end:
    .balign 8
end:
