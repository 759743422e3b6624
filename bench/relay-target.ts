// Speaks to the ceiling's relay.
import WebSocket from 'ws'
import { type LoadSession, type LoadTarget, textOf } from './session.ts'

export const relayTarget = (url: string): LoadTarget => ({
  register: () => Promise.resolve(),
  makeGroup: (name, users) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      socket.on('open', () => socket.send(JSON.stringify({ t: 'group', name, users })))
      socket.on('error', reject)
      socket.on('message', () => {
        socket.terminate()
        resolve(name)
      })
    }),
  login: (user) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      const session: LoadSession = {
        user,
        prepare: (to, index, text) => JSON.stringify({ t: 'msg', id: index, to, from: user, text }),
        send: (prepared) => socket.send(prepared),
        onStored: () => {},
        onDelivered: () => {},
        close: () => socket.terminate(),
      }
      socket.on('open', () => socket.send(JSON.stringify({ t: 'login', user })))
      socket.on('error', reject)
      socket.on('message', (data) => {
        const frame = JSON.parse(textOf(data)) as { t: string; id: number }
        if (frame.t === 'ok') resolve(session)
        else if (frame.t === 'stored') session.onStored(frame.id)
        else session.onDelivered(frame.id)
      })
    }),
})
