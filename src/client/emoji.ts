// Emoji by the names people know them by, for completion (`:thumb` and Tab) and reactions. A table of those that chats use. What others
// react with is judged by protocol/reference.ts alone, which takes more.
import { similarTo } from './similar.ts'

const table = `
smile 😄 grin 😁 joy 😂 rofl 🤣 wink 😉 blush 😊 heart_eyes 😍 kiss 😘 thinking 🤔 neutral 😐 smirk 😏 unamused 😒 sweat_smile 😅
relieved 😌 sad 😞 worried 😟 cry 😢 sob 😭 angry 😠 rage 😡 scream 😱 flushed 😳 dizzy 😵 sleepy 😪 sleeping 😴 sunglasses 😎
nerd 🤓 party_face 🥳 pleading 🥺 shrug 🤷 facepalm 🤦 salute 🫡 melting 🫠 exploding 🤯 zany 🤪 hug 🤗 shush 🤫 lying 🤥 sick 🤒
skull 💀 ghost 👻 robot 🤖 alien 👽 poop 💩 clown 🤡 devil 😈 angel 😇 upside_down 🙃 rolling_eyes 🙄 grimacing 😬 yum 😋
thumbsup 👍 thumbsdown 👎 ok_hand 👌 wave 👋 clap 👏 raised_hands 🙌 pray 🙏 muscle 💪 point_up ☝ point_right 👉 point_left 👈
point_down 👇 fist ✊ handshake 🤝 victory ✌ crossed_fingers 🤞 eyes 👀 brain 🧠 writing ✍ heart ❤ broken_heart 💔 sparkling_heart 💖
blue_heart 💙 green_heart 💚 yellow_heart 💛 purple_heart 💜 hundred 💯 fire 🔥 sparkles ✨ star ⭐ boom 💥 zap ⚡ tada 🎉 gift 🎁
balloon 🎈 trophy 🏆 medal 🏅 rocket 🚀 airplane ✈ car 🚗 bike 🚲 train 🚆 ship 🚢 anchor ⚓ sun ☀ moon 🌙 cloud ☁ rain 🌧 snow ❄
umbrella ☔ rainbow 🌈 earth 🌍 tree 🌳 flower 🌸 rose 🌹 four_leaf 🍀 cat 🐱 dog 🐶 mouse 🐭 fox 🦊 bear 🐻 panda 🐼 monkey 🐵
chicken 🐔 penguin 🐧 bird 🐦 owl 🦉 frog 🐸 turtle 🐢 snake 🐍 whale 🐳 fish 🐟 octopus 🐙 bug 🐛 bee 🐝 butterfly 🦋 snail 🐌 unicorn 🦄
coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine 🍷 cake 🍰 birthday 🎂 pizza 🍕 burger 🍔 fries 🍟 apple 🍎 banana 🍌 bread 🍞 cheese 🧀
cookie 🍪 ice_cream 🍦 popcorn 🍿 check ✅ cross ❌ question ❓ exclamation ❗ warning ⚠ no_entry ⛔ stop 🛑 hourglass ⏳ alarm ⏰
watch ⌚ calendar 📅 pin 📌 paperclip 📎 link 🔗 lock 🔒 unlock 🔓 key 🔑 bell 🔔 no_bell 🔕 mag 🔍 bulb 💡 book 📖 books 📚 memo 📝
mail 📧 inbox 📥 outbox 📤 package 📦 phone 📞 computer 💻 keyboard ⌨ printer 🖨 floppy 💾 cd 💿 camera 📷 video 🎥 tv 📺 music 🎵
guitar 🎸 microphone 🎤 headphones 🎧 game 🎮 dart 🎯 dice 🎲 puzzle 🧩 art 🎨 scissors ✂ hammer 🔨 wrench 🔧 gear ⚙ bomb 💣
money 💰 dollar 💵 chart_up 📈 chart_down 📉 house 🏠 office 🏢 hospital 🏥 school 🏫 flag 🏁 white_flag 🏳 zzz 💤 speech 💬 thought 💭
plus_one 👍 minus_one 👎 lgtm ✅ shipit 🚢
`

export const emoji: ReadonlyMap<string, string> = new Map(
  Array.from(table.matchAll(/(\S+) (\S+)/g), ([, name = '', picture = '']) => [name, picture]),
)

const signs = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** Pictures, flags, and digits in keycaps; also such as no table of this version of Unicode has yet. */
const PICTURE = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3)/u

/** `thumbsup`, `:thumbsup:` or the picture itself, one. */
export const emojiOf = (text: string): string | undefined => {
  const known = emoji.get(nameIn(text))
  if (known !== undefined) return known
  const [sign] = signs.segment(text)
  return sign?.segment === text && PICTURE.test(text) ? text : undefined
}

/** What is wrong with what emojiOf does not know, and what may have been meant. */
export const notAnEmoji = (text: string): string => {
  const [near] = similarTo(nameIn(text), [...emoji.keys()])
  const hint = near === undefined ? '' : ` (:${near}: ${emoji.get(near)}?)`
  return `${JSON.stringify(text)} is no emoji${hint}; a reaction is one, such as 👍, or the name of one, such as :tada:`
}

const nameIn = (text: string): string => text.replace(/^:(.+):$/, '$1')
