// SPDX-License-Identifier: Apache-2.0
//
// The seam between bytes and HTTP. A Session is one end of a connection, the server's or the
// client's, as a state machine without I/O: bytes go in, bytes come out, time is asked for. The
// event loop drives it over a socket (net/connection.h), the fuzz targets over a byte string.
//
// Thread rule: a Session lives on its connection's loop thread; SessionHost::Post may be called
// from any thread. Next: http/exchange_state.h (answers from other threads), http/http1_session.h,
// http/http2_session.h, http/server_session.h (which of the two).
#pragma once

// The room. Bytes come up and go down; what they mean is the session's affair.
//
//     http, outgoing:   Session   made of whatever a connection speaks
//                          |
//     Connection           drives it: reads, writes, deadlines, drain         (connection.h)
//          |         |
//     SocketStream   TlsStream (TlsChannel over a socket)        (socket_stream.h, tls_stream.h)
//          |         |
//          |         TlsContext   certificates, read anew when their files change (tls_context.h,
//          |                      tls_files.h, file_watch.h)
//     Loop                 one thread, its connections and their one timer    (loop.h)
//     ListeningSocket      where connections come from                        (listening_socket.h)
//
// Begin here, then connection.h and loop.h.

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft::net {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// What a session sees of its connection.
class SessionHost : public std::enable_shared_from_this<SessionHost> {
 public:
  virtual ~SessionHost() = default;
  // Runs `task` on the loop thread inside Enter/Leave, or drops it when the loop has ended.
  virtual void Post(std::function<void()> task) = 0;
  virtual bool OnLoopThread() const = 0;
  // Work on the session happens between Enter and Leave (they nest); the outermost Leave writes
  // what was queued and reads on. Loop thread only.
  virtual void Enter() = 0;
  virtual void Leave() = 0;
  // Monotonic.
  virtual int64_t NowMs() const = 0;
  // Reads what has come by now without waiting for the loop to say so. Loop thread only.
  virtual void ReadNow() {}
};

// Bytes on their way out, in order. Small pieces are joined, large ones moved in whole.
class OutputQueue {
 public:
  void Push(std::string bytes);
  void Append(std::string_view bytes);
  // `bytes` stay where they are until they are sent; `owner`, never null, keeps them there.
  void PushShared(std::string_view bytes, std::shared_ptr<const void> owner);
  // Fills `out` with the first pieces; returns how many were filled.
  size_t Peek(std::span<iovec> out) const;
  void Consume(size_t bytes);
  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

 private:
  struct Piece {
    std::string own;
    std::string_view shared;
    std::shared_ptr<const void> owner;  // of `shared`; null: the bytes are `own`
    std::string_view bytes() const { return owner ? shared : std::string_view(own); }
  };
  // True where `bytes` more may be written behind the last piece, up to `bytes_max` in all.
  bool CanJoin(size_t bytes, size_t bytes_max) const;

  std::deque<Piece> pieces_;
  size_t offset_ = 0;  // into the first piece
  size_t bytes_ = 0;
};

class Session {
 public:
  virtual ~Session() = default;

  // ---- in
  // False while the session has all it can hold: the host stops reading.
  virtual bool wants_read() const = 0;
  // Where a large body wants its next bytes, so that they are copied once, by the kernel. Empty
  // when bytes should come through OnBytes().
  virtual std::span<char> DirectSpace() = 0;
  virtual void OnDirect(size_t bytes) = 0;
  virtual void OnBytes(std::string_view bytes) = 0;
  // The peer will send no more.
  virtual void OnEof() = 0;
  // The connection is gone. No call follows.
  virtual void OnClosed() = 0;

  // ---- out
  // Moves what may be sent now into output(). The host calls it before it looks there.
  virtual void FillOutput() = 0;
  virtual OutputQueue& output() = 0;
  // After the host has taken `bytes` from output(); 0 when the peer takes none at the moment.
  virtual void OnWritten(size_t bytes) = 0;
  // True: close once output() is empty.
  virtual bool finished() const = 0;
  // With finished(): the peer may still be sending. Its bytes are read and dropped for a moment,
  // since closing with unread bytes would reset the connection and destroy the answer on its way.
  virtual bool lingers() const = 0;
  // True: when the peer takes no more bytes, what it has sent by then is still read. A server may
  // answer and close in the middle of a request.
  virtual bool reads_last_words() const { return false; }

  // ---- time
  virtual int64_t deadline_ms() const = 0;
  virtual void OnDeadline(int64_t now_ms) = 0;

  // Finish what is under way, accept nothing new.
  virtual void BeginDrain() = 0;
  // Say goodbye, but serve what comes until `until_ms`: the peer may have sent it already.
  virtual void WindDown(int64_t until_ms) {
    (void)until_ms;
    BeginDrain();
  }
};

}  // namespace weft::net
