// Node's HTTP and HTTPS, taken as require() takes them. An `import` of node:http reads each of its exports, and some of them load what nobody
// here uses when they are read: undici (fetch, WebSocket) and HTTP/2. That is 8 MiB and 20 ms of every program that starts.
// The only file that loads them; types may be imported from anywhere.

export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
