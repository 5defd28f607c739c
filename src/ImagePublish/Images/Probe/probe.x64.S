// http-healthcheck for Linux on x86-64: http-healthcheck PORT PATH SECONDS
//
// Connects to 127.0.0.1, asks for PATH, and ends with 0 if the status is 2xx or 3xx, else with 1; with 2 if an argument is missing.
// The whole of it is limited by a timer that ends the process, and each call by a time-out of the socket, since a first process of a
// container gets no signal of a timer. The file is a whole ELF executable; README.md says how it is made.
    .intel_syntax noprefix
    .text
file:
    .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0
    .quad   0
    .short  2, 62
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
    mov     rbp, rsp
    mov     edi, 2
    cmp     qword ptr [rbp], 4
    jb      exit
    sub     rsp, 128                    // [rsp]: address, [rsp+16]: timer, [rsp+48]: vector, [rsp+96]: answer

    mov     rsi, [rbp + 16]             // PORT
    call    number
    xchg    al, ah
    shl     eax, 16
    or      eax, 2                      // AF_INET
    mov     [rsp], eax
    mov     dword ptr [rsp + 4], 0x0100007f
    mov     qword ptr [rsp + 8], 0

    mov     rsi, [rbp + 32]             // SECONDS
    call    number
    xor     edx, edx
    mov     [rsp + 16], rdx
    mov     [rsp + 24], rdx
    mov     [rsp + 32], rax
    mov     [rsp + 40], rdx
    xor     edi, edi                    // setitimer(ITIMER_REAL, timer, 0)
    lea     rsi, [rsp + 16]
    mov     eax, 38
    syscall

    mov     edi, 2                      // socket(AF_INET, SOCK_STREAM, 0)
    mov     esi, 1
    xor     edx, edx
    mov     eax, 41
    syscall
    test    eax, eax
    js      fail
    mov     ebx, eax

    mov     r12d, 20                    // SO_RCVTIMEO, then SO_SNDTIMEO
option:
    mov     edi, ebx                    // setsockopt(socket, SOL_SOCKET, option, timer.value, 16)
    mov     esi, 1
    mov     edx, r12d
    lea     r10, [rsp + 32]
    mov     r8d, 16
    mov     eax, 54
    syscall
    inc     r12d
    cmp     r12d, 22
    jb      option

    mov     edi, ebx                    // connect(socket, address, 16)
    mov     rsi, rsp
    mov     edx, 16
    mov     eax, 42
    syscall
    test    eax, eax
    js      fail

    lea     rax, [rip + head]
    mov     [rsp + 48], rax
    mov     qword ptr [rsp + 56], 4
    mov     rdi, [rbp + 24]             // PATH
    mov     [rsp + 64], rdi
    xor     eax, eax
length:
    cmp     byte ptr [rdi + rax], 0
    je      counted
    inc     rax
    jmp     length
counted:
    mov     [rsp + 72], rax
    lea     rax, [rip + tail]
    mov     [rsp + 80], rax
    mov     qword ptr [rsp + 88], 79
    mov     edi, ebx                    // writev(socket, vector, 3)
    lea     rsi, [rsp + 48]
    mov     edx, 3
    mov     eax, 20
    syscall
    test    rax, rax
    js      fail

    xor     r12d, r12d
answer:
    mov     edi, ebx                    // read(socket, answer + n, 12 - n)
    lea     rsi, [rsp + 96 + r12]
    mov     edx, 12
    sub     edx, r12d
    xor     eax, eax
    syscall
    test    rax, rax
    jle     fail
    add     r12d, eax
    cmp     r12d, 12
    jb      answer

    cmp     dword ptr [rsp + 96], 0x50545448        // HTTP
    jne     fail
    cmp     byte ptr [rsp + 100], '/'
    jne     fail
    cmp     byte ptr [rsp + 104], ' '
    jne     fail
    xor     edi, edi
    movzx   eax, byte ptr [rsp + 105]
    sub     eax, '2'
    cmp     eax, 1
    jbe     exit
fail:
    mov     edi, 1
exit:
    mov     eax, 231                    // exit_group
    syscall

number:                                 // rsi: digits; eax: their number
    xor     eax, eax
digit:
    movzx   ecx, byte ptr [rsi]
    sub     ecx, '0'
    cmp     ecx, 9
    ja      read
    imul    eax, eax, 10
    add     eax, ecx
    inc     rsi
    jmp     digit
read:
    ret

head:
    .ascii  "GET "
head_end:
tail:
    .ascii  " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: http-healthcheck\r\nConnection: close\r\n\r\n"
tail_end:
    .if head_end - head != 4 || tail_end - tail != 79
    .error "The lengths above are others."
    .endif
    .balign 8
end:
