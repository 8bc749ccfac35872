/*
 * A raw TCP echo with nothing between it and the kernel: what epoll itself costs per message, for LoopBridge's echo to be held against.
 * As many threads as the other side has loops, an epoll set for each, level-triggered, one receive and one send per message; connections
 * go round.
 *
 *     bare_epoll_echo PORT THREADS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BUFFER = 4096, BACKLOG = 512, MOST_THREADS = 64 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A connection that ends, fails or cannot take its whole echo is closed; closing takes it out of the set. */
static void echo(int fd, char *buffer)
{
    ssize_t count = recv(fd, buffer, BUFFER, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0 || send(fd, buffer, (size_t)count, MSG_DONTWAIT | MSG_NOSIGNAL) != count)
        close(fd);
}

static void *serve(void *set)
{
    int epoll = *(int *)set;
    struct epoll_event events[EVENTS];
    char buffer[BUFFER];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < count; i++)
            echo(events[i].data.fd, buffer);
    }
    return NULL;
}

static int listen_on(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("socket");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, BACKLOG) < 0)
        die("bind");
    return listener;
}

int main(int argc, char **argv)
{
    int port = argc == 3 ? atoi(argv[1]) : 0;
    int threads = argc == 3 ? atoi(argv[2]) : 0;
    if (port <= 0 || threads <= 0 || threads > MOST_THREADS) {
        fprintf(stderr, "usage: %s PORT THREADS\n", argv[0]);
        return 2;
    }

    int sets[MOST_THREADS];
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        sets[i] = epoll_create1(EPOLL_CLOEXEC);
        if (sets[i] < 0 || pthread_create(&thread, NULL, serve, &sets[i]) != 0)
            die("thread");
    }

    int listener = listen_on(port);
    for (int next = 0;; next = (next + 1) % threads) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int on = 1;
        struct epoll_event interest = { .events = EPOLLIN, .data.fd = fd };
        if (fd < 0) {
            if (errno == ECONNABORTED || errno == EINTR)
                continue;
            die("accept");
        }
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 || epoll_ctl(sets[next], EPOLL_CTL_ADD, fd, &interest) < 0)
            die("epoll_ctl");
    }
}
