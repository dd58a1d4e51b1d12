// The reader's own fonts: nothing else has to be carried or licensed.
import DefaultTheme from 'vitepress/theme-without-fonts'
import './pages.css'

export default DefaultTheme
