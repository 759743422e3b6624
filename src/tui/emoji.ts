// Emoji by the names people know them by, for completion (`:thumb` and Tab) and reactions. A table of those that chats use.
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

/** `thumbsup`, `:thumbsup:` or the picture itself. */
export const emojiOf = (text: string): string | undefined => {
  const name = text.replaceAll(':', '')
  return emoji.get(name) ?? (/^\p{Extended_Pictographic}/u.test(text) ? text : undefined)
}
